-- Fieldgate: from version 1, behind schema.sql and in the same transaction: each
-- account was in the one pool that "source" names.

INSERT INTO pool (name, source) SELECT pool, id FROM source WHERE pool <> '';
