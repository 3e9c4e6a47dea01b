-- Lantoa store, version 5: articles of other releases that go with a broadcast (`zalo: {with: [...]}`), in their order.
CREATE TABLE companion(release_id INTEGER NOT NULL REFERENCES release, rev INTEGER NOT NULL, pos INTEGER NOT NULL,
  other INTEGER NOT NULL REFERENCES release, PRIMARY KEY(release_id, rev, pos)) STRICT, WITHOUT ROWID;
