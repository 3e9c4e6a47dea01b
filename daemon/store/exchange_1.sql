-- Exchange records, version 1: exchange.db beside lantoa.db, synchronous=NORMAL, own retention.
CREATE TABLE exchange(              -- in exchange.db; bulk lanes keep it for outcomes other than accepted; 64 KB cap; secrets cut at the source
  delivery_id INTEGER NOT NULL, try INTEGER NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL, outward INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(delivery_id, try, n)) STRICT, WITHOUT ROWID;
CREATE INDEX exchange_at ON exchange(at);
