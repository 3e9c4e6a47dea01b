-- Lantoa store, version 6: consent to advertising (Decree 91/2020): asked once, given or refused, when and in which way. By keyed hash, as suppression.
CREATE TABLE consent(who BLOB PRIMARY KEY, state INTEGER NOT NULL, at INTEGER NOT NULL, asked_at INTEGER, -- state 1 asked 2 given 3 refused
  way TEXT NOT NULL, evidence TEXT NOT NULL) STRICT, WITHOUT ROWID;  -- evidence: 'delivery:12' that asked, 'inbound:7' that answered
