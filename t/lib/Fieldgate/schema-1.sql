-- The schema as version 1 had it: what a file of then looks like, for the tests
-- of its conversion.

CREATE TABLE user (
    name          TEXT PRIMARY KEY NOT NULL,
    password      TEXT NOT NULL,
    expires_at    INTEGER NOT NULL DEFAULT 253402214400,
    max_sessions  INTEGER NOT NULL DEFAULT 1,
    mounts        TEXT NOT NULL DEFAULT '',
    note          TEXT NOT NULL DEFAULT ''
);

-- for the console's list: users that expire last come first, else in the order
-- in which they were added
CREATE INDEX user_expires ON user (expires_at DESC);

-- AUTOINCREMENT: an id is a byte in the lock file, and is never used again.
-- port 0: that of ntrip_relay

CREATE TABLE source (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    pool          TEXT NOT NULL DEFAULT 'default',
    host          TEXT NOT NULL,
    port          INTEGER NOT NULL DEFAULT 0,
    tls           INTEGER NOT NULL DEFAULT 0,
    name          TEXT NOT NULL,
    password      TEXT NOT NULL,
    expires_at    INTEGER NOT NULL DEFAULT 253402214400,
    note          TEXT NOT NULL DEFAULT '',
    UNIQUE (host, port, name)
);

CREATE TABLE station (
    mount         TEXT PRIMARY KEY NOT NULL,
    password      TEXT NOT NULL,
    str           TEXT NOT NULL DEFAULT ''
);


-- What has changed, whoever changed it.  Workers read new rows once a second;
-- one that finds its place gone takes everything as changed.

CREATE TABLE change (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind          TEXT NOT NULL,
    key           TEXT NOT NULL
);

CREATE TRIGGER change_trim AFTER INSERT ON change
WHEN new.seq % 1000 = 0
BEGIN
    DELETE FROM change WHERE seq <= new.seq - 10000;
END;

CREATE TRIGGER user_insert AFTER INSERT ON user
BEGIN
    INSERT INTO change (kind, key) VALUES ('user', new.name);
END;

CREATE TRIGGER user_update AFTER UPDATE ON user
BEGIN
    INSERT INTO change (kind, key) VALUES ('user', old.name);
    INSERT INTO change (kind, key)
        SELECT 'user', new.name WHERE new.name <> old.name;
END;

CREATE TRIGGER user_delete AFTER DELETE ON user
BEGIN
    INSERT INTO change (kind, key) VALUES ('user', old.name);
END;

CREATE TRIGGER source_insert AFTER INSERT ON source
BEGIN
    INSERT INTO change (kind, key) VALUES ('source', new.id);
END;

CREATE TRIGGER source_update AFTER UPDATE ON source
BEGIN
    INSERT INTO change (kind, key) VALUES ('source', old.id);
END;

CREATE TRIGGER source_delete AFTER DELETE ON source
BEGIN
    INSERT INTO change (kind, key) VALUES ('source', old.id);
END;

CREATE TRIGGER station_insert AFTER INSERT ON station
BEGIN
    INSERT INTO change (kind, key) VALUES ('station', new.mount);
END;

CREATE TRIGGER station_update AFTER UPDATE ON station
BEGIN
    INSERT INTO change (kind, key) VALUES ('station', old.mount);
    INSERT INTO change (kind, key)
        SELECT 'station', new.mount WHERE new.mount <> old.mount;
END;

CREATE TRIGGER station_delete AFTER DELETE ON station
BEGIN
    INSERT INTO change (kind, key) VALUES ('station', old.mount);
END;

PRAGMA user_version = 1;
