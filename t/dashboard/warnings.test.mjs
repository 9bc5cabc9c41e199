import test from 'node:test';
import assert from 'node:assert/strict';
import { warnings, worst } from '../../conf/dashboard/warnings.js';
import { begin, next } from '../../conf/dashboard/state.js';

const now = 100000;

const page = (list, ...items) =>
    ({ type: 'page', list, items, last: true, more: false, at: now });

const told = (...events) => warnings(events.reduce(next, begin()), now);

const keys = (...events) => told(...events).map((w) => w.key);

const stream = (more) => ({ id: 1, mount: 'M', state: 'live', rovers: 2,
                            age: 1, since: now - 100, provider: 'p:2101',
                            ...more });

const account = (more) => ({ id: 1, name: 'a', host: 'h', pools: ['p'],
                             state: 'free', expires_at: 0, ...more });

const counters = (half, at, values) => ({ type: 'counters', half, at, values });


test('nothing is wrong at first, and where all is well', () => {
    assert.deepEqual(told(), []);
    assert.deepEqual(told(page('streams', stream()),
                          page('accounts', account(), account({ id: 2 })),
                          page('stations')), []);
    assert.equal(worst([]), 'fine');
});


test('streams', () => {
    const one = (more) => keys(page('streams', stream(more)));

    assert.deepEqual(one({ age: 31 }), ['silent:1']);
    assert.deepEqual(one({ age: 30 }), []);
    assert.deepEqual(one({ age: 31, rovers: 0 }), [], 'nobody waits');
    assert.deepEqual(one({ age: null }), []);
    assert.deepEqual(one({ state: 'waiting', age: null }), ['waiting:1']);
    assert.deepEqual(one({ state: 'waiting', since: now - 5 }), []);
    assert.deepEqual(one({ state: 'opening' }), ['opening:1']);
    assert.deepEqual(one({ state: 'failed' }), ['failed:1']);
});


test('certificates, one line for each provider', () => {
    const day = 86400;
    const of = (...ends) => keys(page('streams', ...ends.map(
        (certificate, id) => stream({ id, certificate }))));

    assert.deepEqual(of(now + 13 * day, now + 13 * day),
                     ['certificate:p:2101']);
    assert.deepEqual(of(now - day), ['certificate:p:2101']);
    assert.deepEqual(of(now + 15 * day, null), []);
});


test('accounts', () => {
    const one = (more) => keys(page('accounts', account(more),
                                    account({ id: 2 })));

    assert.deepEqual(one({ state: 'refused' }), ['refused:1']);
    assert.deepEqual(one({ state: 'expired' }), ['expired:1']);
    assert.deepEqual(one({ expires_at: now + 86400 }), ['ending:1']);
    assert.deepEqual(one({ expires_at: now + 8 * 86400 }), []);
});


test('a pool with less than a tenth free', () => {
    const of = (n, free) => keys(page('accounts', ...Array.from(
        { length: n }, (unused, i) => account({
            id: i, state: i < free ? 'free' : 'used' }))));

    assert.deepEqual(of(20, 1), ['pool:p']);
    assert.deepEqual(of(20, 2), []);
    assert.deepEqual(of(1, 0), ['pool:p']);
    assert.deepEqual(keys(page('accounts', account({ state: 'expired' }))),
                     ['expired:1'], 'all have expired: that is told alone');
});


test('many of a kind are one line, the worst come first', () => {
    const many = Array.from({ length: 9 }, (unused, i) =>
        account({ id: i, state: i < 4 ? 'refused' : i < 7 ? 'expired'
                                                          : 'free' }));
    const found = told(page('accounts', ...many));

    assert.deepEqual(found.map((w) => w.key),
                     ['refused', 'expired:4', 'expired:5', 'expired:6']);
    assert.match(found[0].text, /^4 accounts are refused/);
    assert.equal(found[0].query, 'state:refused');
    assert.equal(worst(found), 'critical');
});


test('stations that do not upload', () => {
    const stations = page('stations', { mount: 'A' }, { mount: 'B' });

    assert.deepEqual(keys(stations), [], 'streams are not known yet');
    assert.deepEqual(keys(stations, page('streams', stream({ mount: 'A' }))),
                     ['station:B']);
});


test('tables, but for those that are full by their nature', () => {
    const full = { rows: 100, used: 95 };

    assert.deepEqual(keys(counters('ntrip', now, { tables: {
        rovers: full, rests: full, streams: { rows: 100, used: 90 } } })),
        ['table:ntrip:rovers']);
    assert.deepEqual(keys(counters('cwmp', now, { tables: {
        sessions: full, nonces: full } })), ['table:cwmp:sessions']);
    assert.deepEqual(keys(counters('ntrip', now, { tables: {
        none: { rows: 0, used: 0 } } })), []);
});


test('counters that have risen', () => {
    assert.deepEqual(keys(counters('ntrip', now - 10, { unavailable: 1 }),
                          counters('ntrip', now, { unavailable: 3 })),
                     ['database']);
    assert.deepEqual(keys(counters('ntrip', now - 10, { unavailable: 3 }),
                          counters('ntrip', now, { unavailable: 3 })), []);
    assert.deepEqual(keys(counters('cwmp', now - 10, { admissions:
                                                       { limited: 0 } }),
                          counters('cwmp', now, { admissions:
                                                  { limited: 1 } })),
                     ['limited']);
});


test('wake-ups that fail, but for those that are no CPE\'s fault', () => {
    const wakeups = (from, to) => keys(
        counters('cwmp', now - 10, { wakeups: from }),
        counters('cwmp', now, { wakeups: to }));

    assert.deepEqual(wakeups({ ok: 0, timeout: 0 }, { ok: 2, timeout: 4 }),
                     ['wakeups']);
    assert.deepEqual(wakeups({ ok: 0, timeout: 0 }, { ok: 4, timeout: 4 }), []);
    assert.deepEqual(wakeups({ timeout: 0 }, { timeout: 4 }), [], 'too few');
    assert.deepEqual(wakeups({ credentials: 0 }, { credentials: 9 }), []);
    assert.deepEqual(wakeups({ busy: 0, reset: 0 }, { busy: 9, reset: 5 }), []);
});


test('workers, lists and halves in trouble', () => {
    assert.deepEqual(keys(page('workers', { id: 1, pid: 7, age: 11 },
                               { id: 2, pid: 8, age: 11, exiting: true })),
                     ['worker:1']);

    const away = { type: 'trouble', half: 'ntrip', kind: 'away',
                   detail: 'nginx does not answer', again: now + 8, at: now };
    assert.match(told(away)[0].text, /^NTRIP: nginx does not answer, asked/);
    assert.deepEqual(keys({ ...away, kind: 'login' }), [],
                     'the login has a place of its own');
    assert.deepEqual(keys({ ...away, kind: 'absent' }), [],
                     'a half that is not there is not wrong');
    assert.deepEqual(keys({ ...away, kind: 'failing', list: 'users' }),
                     ['list:users']);
});
