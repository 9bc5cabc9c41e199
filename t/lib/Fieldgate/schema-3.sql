-- The schema as version 3 had it, without its comments.


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

CREATE INDEX IF NOT EXISTS user_expires ON user (expires_at DESC);


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


CREATE TABLE IF NOT EXISTS pool (
    name          TEXT NOT NULL,
    source        INTEGER NOT NULL,
    PRIMARY KEY (source, name) ON CONFLICT IGNORE
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS station (
    mount         TEXT PRIMARY KEY NOT NULL,
    password      TEXT NOT NULL,
    str           TEXT NOT NULL DEFAULT ''
);


CREATE TABLE IF NOT EXISTS usage (
    day           TEXT NOT NULL,
    kind          TEXT NOT NULL,
    name          TEXT NOT NULL,
    sessions      INTEGER NOT NULL DEFAULT 0,
    seconds       INTEGER NOT NULL DEFAULT 0,
    bytes         INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, kind, name)
) WITHOUT ROWID;



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

PRAGMA user_version = 3;
