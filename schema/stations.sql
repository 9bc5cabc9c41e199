-- Fieldgate: from versions 1 to 3, behind schema.sql and in the same transaction:
-- stations had no name to log in with.

ALTER TABLE station ADD COLUMN name TEXT NOT NULL DEFAULT '';
