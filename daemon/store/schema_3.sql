-- Lantoa store, version 3: advertising that a contact got lately (Decree 91/2020: so many in 24 hours), for as long as it counts.
CREATE TABLE ad_sent(contact_id INTEGER NOT NULL, delivery_id INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(contact_id, delivery_id)) STRICT, WITHOUT ROWID;
-- quota also holds what budgets have used: scope 'office:12', 'part:3/1' ...; window '2026-11-22 dong', '2026-11 messages', 'total dong'.
