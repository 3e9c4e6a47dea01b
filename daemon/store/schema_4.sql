-- Lantoa store, version 4: taking back what was published. A fact beside the delivery's state, never a move of it.
CREATE TABLE recall(                -- one row for each delivery that a person asked to take back
  delivery_id INTEGER PRIMARY KEY, release_id INTEGER NOT NULL, state INTEGER NOT NULL, -- 0 asked 1 under way 2 gone 3 refused 5 nobody knows 6 it had not gone out
  tries INTEGER NOT NULL, due INTEGER NOT NULL, asked INTEGER NOT NULL, at INTEGER NOT NULL, person TEXT NOT NULL, code TEXT, said TEXT) STRICT; -- at: of the last word
CREATE INDEX recall_due ON recall(due) WHERE state = 0;
CREATE INDEX recall_release ON recall(release_id);
