-- Fieldgate: users, accounts of CORS providers, base stations.
--
-- Times are seconds since 1970.  The default expiry is in 9999, late enough to
-- stand for "never" and early enough to be a date in every time zone.
--
-- A password that begins with "$" or "{" is a hash, see README.
--
-- Run on a file of an older version it makes the tables and triggers that are
-- missing there; columns.sql, stations.sql, pools.sql and tb_src.sql do the rest.
-- Columns that are newer than their table come last, as they do in such a file.

CREATE TABLE IF NOT EXISTS user (
    name          TEXT PRIMARY KEY NOT NULL,
    password      TEXT NOT NULL,
    expires_at    INTEGER NOT NULL DEFAULT 253402214400,
    max_sessions  INTEGER NOT NULL DEFAULT 1,
    mounts        TEXT NOT NULL DEFAULT '',
    note          TEXT NOT NULL DEFAULT '',
    valid_from    INTEGER NOT NULL DEFAULT 0,
    area          TEXT NOT NULL DEFAULT '',
    quota_bytes   INTEGER NOT NULL DEFAULT 0,
    quota_seconds INTEGER NOT NULL DEFAULT 0
);

-- for the console's list: users that expire last come first, else in the order
-- in which they were added
CREATE INDEX IF NOT EXISTS user_expires ON user (expires_at DESC);

-- AUTOINCREMENT: an id is a byte in the lock file, and is never used again.
-- port 0: that of ntrip_relay.  pool: one of those that it is in, see below.
-- ntrip: 1 or 2, the version of the protocol; 0: the one that works.

CREATE TABLE IF NOT EXISTS source (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    pool          TEXT NOT NULL DEFAULT 'default',
    host          TEXT NOT NULL,
    port          INTEGER NOT NULL DEFAULT 0,
    tls           INTEGER NOT NULL DEFAULT 0,
    name          TEXT NOT NULL,
    password      TEXT NOT NULL,
    expires_at    INTEGER NOT NULL DEFAULT 253402214400,
    note          TEXT NOT NULL DEFAULT '',
    ntrip         INTEGER NOT NULL DEFAULT 0,
    UNIQUE (host, port, name)
);

-- The pools of each account.  One is in "source" as well: who knows nothing of
-- this table adds an account to a pool, or moves it to another one, there.

CREATE TABLE IF NOT EXISTS pool (
    name          TEXT NOT NULL,
    source        INTEGER NOT NULL,
    PRIMARY KEY (source, name) ON CONFLICT IGNORE
) WITHOUT ROWID;

-- Base stations that upload here.  name: for POST, '' for any.

CREATE TABLE IF NOT EXISTS station (
    mount         TEXT PRIMARY KEY NOT NULL,
    password      TEXT NOT NULL,
    str           TEXT NOT NULL DEFAULT '',
    name          TEXT NOT NULL DEFAULT ''
);

-- What was used on a day, "YYYY-MM-DD", by each "user", of each "account", which
-- is named NAME@HOST or NAME@HOST:PORT, and by each "station".

CREATE TABLE IF NOT EXISTS usage (
    day           TEXT NOT NULL,
    kind          TEXT NOT NULL,
    name          TEXT NOT NULL,
    sessions      INTEGER NOT NULL DEFAULT 0,
    seconds       INTEGER NOT NULL DEFAULT 0,
    bytes         INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, kind, name)
) WITHOUT ROWID;

-- all days of one, for its quota

CREATE INDEX IF NOT EXISTS usage_name ON usage (kind, name, seconds, bytes);

-- What each running nginx has written there last: no batch is added twice.

CREATE TABLE IF NOT EXISTS usage_batch (
    zone          TEXT PRIMARY KEY NOT NULL,
    batch         INTEGER NOT NULL,
    time          INTEGER NOT NULL
);


-- What has changed, whoever changed it.  Workers read new rows once a second;
-- one that finds its place gone takes everything as changed.

CREATE TABLE IF NOT EXISTS change (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind          TEXT NOT NULL,
    key           TEXT NOT NULL
);

CREATE TRIGGER IF NOT EXISTS change_trim AFTER INSERT ON change
WHEN new.seq % 1000 = 0
BEGIN
    DELETE FROM change WHERE seq <= new.seq - 10000;
END;

CREATE TRIGGER IF NOT EXISTS user_insert AFTER INSERT ON user
BEGIN
    INSERT INTO change (kind, key) VALUES ('user', new.name);
END;

CREATE TRIGGER IF NOT EXISTS user_update AFTER UPDATE ON user
BEGIN
    INSERT INTO change (kind, key) VALUES ('user', old.name);
    INSERT INTO change (kind, key)
        SELECT 'user', new.name WHERE new.name <> old.name;
END;

CREATE TRIGGER IF NOT EXISTS user_delete AFTER DELETE ON user
BEGIN
    INSERT INTO change (kind, key) VALUES ('user', old.name);
END;

CREATE TRIGGER IF NOT EXISTS source_insert AFTER INSERT ON source
BEGIN
    INSERT INTO change (kind, key) VALUES ('source', new.id);
END;

CREATE TRIGGER IF NOT EXISTS source_update AFTER UPDATE ON source
BEGIN
    INSERT INTO change (kind, key) VALUES ('source', old.id);
END;

CREATE TRIGGER IF NOT EXISTS source_delete AFTER DELETE ON source
BEGIN
    INSERT INTO change (kind, key) VALUES ('source', old.id);
END;

CREATE TRIGGER IF NOT EXISTS pool_insert AFTER INSERT ON pool
BEGIN
    INSERT INTO change (kind, key) VALUES ('source', new.source);
END;

CREATE TRIGGER IF NOT EXISTS pool_update AFTER UPDATE ON pool
BEGIN
    INSERT INTO change (kind, key) VALUES ('source', old.source);
    INSERT INTO change (kind, key)
        SELECT 'source', new.source WHERE new.source <> old.source;
END;

CREATE TRIGGER IF NOT EXISTS pool_delete AFTER DELETE ON pool
BEGIN
    INSERT INTO change (kind, key) VALUES ('source', old.source);
END;

CREATE TRIGGER IF NOT EXISTS station_insert AFTER INSERT ON station
BEGIN
    INSERT INTO change (kind, key) VALUES ('station', new.mount);
END;

CREATE TRIGGER IF NOT EXISTS station_update AFTER UPDATE ON station
BEGIN
    INSERT INTO change (kind, key) VALUES ('station', old.mount);
    INSERT INTO change (kind, key)
        SELECT 'station', new.mount WHERE new.mount <> old.mount;
END;

CREATE TRIGGER IF NOT EXISTS station_delete AFTER DELETE ON station
BEGIN
    INSERT INTO change (kind, key) VALUES ('station', old.mount);
END;


-- "pool" follows "source".  REPLACE deletes without a trigger: what it left
-- of an id goes when that comes again.

CREATE TRIGGER IF NOT EXISTS source_pool_insert AFTER INSERT ON source
BEGIN
    DELETE FROM pool WHERE source = new.id AND name <> new.pool;
    INSERT INTO pool (name, source)
        SELECT new.pool, new.id WHERE new.pool <> ''
        ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER IF NOT EXISTS source_pool_update AFTER UPDATE OF id, pool
ON source
BEGIN
    INSERT INTO pool (name, source)
        SELECT new.pool, new.id WHERE new.pool <> ''
        ON CONFLICT DO NOTHING;
    DELETE FROM pool
        WHERE source = old.id
              AND (old.id <> new.id
                   OR (name = old.pool AND old.pool <> new.pool));
END;

CREATE TRIGGER IF NOT EXISTS source_pool_delete AFTER DELETE ON source
BEGIN
    DELETE FROM pool WHERE source = old.id;
END;

-- REPLACE also deletes an account of the same host, port and name, which has
-- another id: that one is noted before, and loses its pools behind.

CREATE TRIGGER IF NOT EXISTS source_replace BEFORE INSERT ON source
BEGIN
    INSERT INTO change (kind, key)
        SELECT 'source', id FROM source
        WHERE host = new.host AND port = new.port AND name = new.name;
END;

CREATE TRIGGER IF NOT EXISTS source_replaced AFTER INSERT ON source
BEGIN
    DELETE FROM pool
        WHERE source IN (SELECT CAST(key AS INTEGER) FROM change
                         WHERE kind = 'source' ORDER BY seq DESC LIMIT 16)
              AND source NOT IN (SELECT id FROM source);
END;

-- "source" follows "pool": what it names is one of them, or '' if there are
-- none.

CREATE TRIGGER IF NOT EXISTS pool_source_insert AFTER INSERT ON pool
BEGIN
    UPDATE source SET pool = new.name WHERE id = new.source AND pool = '';
END;

CREATE TRIGGER IF NOT EXISTS pool_source_update AFTER UPDATE ON pool
BEGIN
    UPDATE source
        SET pool = coalesce((SELECT min(p.name) FROM pool AS p
                             WHERE p.source = source.id), '')
        WHERE id IN (old.source, new.source)
              AND NOT EXISTS (SELECT 1 FROM pool AS p
                              WHERE p.source = source.id
                                    AND p.name = source.pool);
END;

CREATE TRIGGER IF NOT EXISTS pool_source_delete AFTER DELETE ON pool
BEGIN
    UPDATE source
        SET pool = coalesce((SELECT min(p.name) FROM pool AS p
                             WHERE p.source = old.source), '')
        WHERE id = old.source AND pool = old.name;
END;

PRAGMA user_version = 5;
