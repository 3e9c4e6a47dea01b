-- Lantoa store, version 7: several deliveries may have one provider id on one day (a provider that counts anew after a restart): each keeps its row.
CREATE TABLE ref_7(lane_id INTEGER NOT NULL, day INTEGER NOT NULL, provider_id TEXT NOT NULL, delivery_id INTEGER NOT NULL, effect INTEGER NOT NULL,
  PRIMARY KEY(lane_id, day, provider_id, delivery_id, effect)) STRICT, WITHOUT ROWID;
INSERT INTO ref_7 SELECT lane_id, day, provider_id, delivery_id, effect FROM ref;
DROP TABLE ref;
ALTER TABLE ref_7 RENAME TO ref;
