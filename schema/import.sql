-- Fieldgate: takes over the tables of cors-relay, behind schema.sql and in the
-- same transaction.
--
-- cors-relay keeps expiry as text in local time, and compares it as text: what
-- is no date and sorts behind every year never expires there, nor here; what
-- begins with a year but is no date ("2030/12/31", "2030-1-5") lasts until the
-- end of it, at most some months longer than there.  Its token is
-- "user:password@host": the first ":" ends the user, the last "@" begins the
-- host.  Where two tokens differ in their passwords alone, the one that expires
-- later is taken.
--
-- Its passwords are plain: one that begins as a hash does gets "{PLAIN}".

CREATE TABLE IF NOT EXISTS tb_user (
    name    VARCHAR(255) PRIMARY KEY NOT NULL,
    passwd  VARCHAR(255) NOT NULL,
    expire  DATETIME NOT NULL
);

CREATE TABLE IF NOT EXISTS tb_src (
    token   VARCHAR(255) PRIMARY KEY NOT NULL,
    expire  DATETIME NOT NULL,
    flag    INT NOT NULL DEFAULT 0
);

INSERT INTO user (name, password, expires_at)
    SELECT name,
           CASE WHEN substr(passwd, 1, 1) IN ('$', '{')
                THEN '{PLAIN}' || passwd ELSE passwd END,
           coalesce(CASE WHEN expire LIKE '____-__-__%'
                         THEN strftime('%s', expire, 'utc') END,
                    CASE WHEN expire || '' > '9999'
                         THEN 253402214400 END,
                    strftime('%s', substr(expire, 1, 4)
                                   || '-12-31 23:59:59', 'utc'), 0)
    FROM tb_user WHERE true
    ON CONFLICT (name) DO NOTHING;

INSERT INTO source (host, name, password, expires_at)
    SELECT substr(token, at + 1),
           substr(token, 1, colon - 1),
           substr(token, colon + 1, at - colon - 1),
           coalesce(CASE WHEN expire LIKE '____-__-__%'
                         THEN strftime('%s', expire, 'utc') END,
                    CASE WHEN expire || '' > '9999'
                         THEN 253402214400 END,
                    strftime('%s', substr(expire, 1, 4)
                                   || '-12-31 23:59:59', 'utc'), 0)
    FROM (SELECT token, expire, instr(token, ':') AS colon,
                 length(rtrim(token, replace(token, '@', ''))) AS at
          FROM tb_src)
    WHERE colon > 0 AND at > colon AND at < length(token)
    ON CONFLICT (host, port, name) DO UPDATE
        SET password = excluded.password, expires_at = excluded.expires_at
        WHERE excluded.expires_at > expires_at;

DROP TABLE tb_user;
DROP TABLE tb_src;


-- for scripts that read and write the old tables; tb_src has tb_src.sql

CREATE VIEW tb_user (name, passwd, expire) AS
    SELECT name,
           CASE WHEN substr(password, 1, 7) = '{PLAIN}'
                THEN substr(password, 8) ELSE password END,
           strftime('%Y-%m-%d %H:%M:%S', expires_at, 'unixepoch', 'localtime')
    FROM user;

CREATE TRIGGER tb_user_insert INSTEAD OF INSERT ON tb_user
BEGIN
    INSERT INTO user (name, password, expires_at)
        VALUES (new.name,
                CASE WHEN substr(new.passwd, 1, 1) IN ('$', '{')
                     THEN '{PLAIN}' || new.passwd ELSE new.passwd END,
                coalesce(CASE WHEN new.expire LIKE '____-__-__%'
                              THEN strftime('%s', new.expire, 'utc') END,
                         CASE WHEN new.expire || '' > '9999'
                              THEN 253402214400 END,
                         strftime('%s', substr(new.expire, 1, 4)
                                        || '-12-31 23:59:59', 'utc'), 0));
END;

CREATE TRIGGER tb_user_update INSTEAD OF UPDATE ON tb_user
BEGIN
    UPDATE user
        SET name = new.name,
            password =
                CASE WHEN new.passwd = old.passwd THEN password
                     WHEN substr(new.passwd, 1, 1) IN ('$', '{')
                     THEN '{PLAIN}' || new.passwd ELSE new.passwd END,
            expires_at =
                coalesce(CASE WHEN new.expire LIKE '____-__-__%'
                              THEN strftime('%s', new.expire, 'utc') END,
                         CASE WHEN new.expire || '' > '9999'
                              THEN 253402214400 END,
                         strftime('%s', substr(new.expire, 1, 4)
                                        || '-12-31 23:59:59', 'utc'), 0)
        WHERE name = old.name;
END;

CREATE TRIGGER tb_user_delete INSTEAD OF DELETE ON tb_user
BEGIN
    DELETE FROM user WHERE name = old.name;
END;
