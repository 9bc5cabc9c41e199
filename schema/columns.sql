-- Fieldgate: from version 1 or 2, behind schema.sql and in the same transaction:
-- the columns that its tables did not have.

ALTER TABLE user ADD COLUMN valid_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE user ADD COLUMN area TEXT NOT NULL DEFAULT '';
ALTER TABLE user ADD COLUMN quota_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE user ADD COLUMN quota_seconds INTEGER NOT NULL DEFAULT 0;

ALTER TABLE source ADD COLUMN ntrip INTEGER NOT NULL DEFAULT 0;
