-- Lantoa store, version 2: what people and providers send to us, numbers of accounts, the time of a number.
CREATE TABLE inbound(               -- texts, opt-outs, complaints, joins, leaves, quotas, revocations; kept for a time (inbound: keep), then pruned
  id INTEGER PRIMARY KEY, channel_id INTEGER NOT NULL REFERENCES channel, account_id INTEGER, kind INTEGER NOT NULL, -- account null: the provider does not say
  address TEXT, text TEXT, detail TEXT, at INTEGER NOT NULL, came INTEGER NOT NULL, acted INTEGER NOT NULL DEFAULT 0) STRICT; -- acted: 1 suppressed 2 lanes held
CREATE INDEX inbound_came ON inbound(channel_id, came);
CREATE INDEX inbound_address ON inbound(address);                       -- personal data: erased with its contact
CREATE INDEX seen_at ON seen(at);
ALTER TABLE stat ADD COLUMN at INTEGER NOT NULL DEFAULT 0;              -- of the day's value, when it was told last
CREATE TABLE account_stat(account_id INTEGER NOT NULL, name TEXT NOT NULL, day INTEGER NOT NULL, at INTEGER NOT NULL, value INTEGER NOT NULL,
  PRIMARY KEY(account_id, name, day)) STRICT, WITHOUT ROWID;            -- followers, quota, package
