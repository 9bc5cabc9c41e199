import test from 'node:test';
import assert from 'node:assert/strict';
import { Poll, due, pause } from '../../conf/dashboard/poll.js';
import { Trouble } from '../../conf/dashboard/client.js';
import { begin, next } from '../../conf/dashboard/state.js';

// a poll, and a clock that is turned by hand; answer(path) is what is read

function world(half, answer) {
    const w = { now: 1000, state: begin(), asked: [], timers: [], hidden: false,
                shown: 'rovers' };

    const ask = async (path) => {
        w.asked.push(path);
        const value = answer(path, w);

        if (value instanceof Error) {
            throw value;
        }

        return value;
    };

    w.poll = new Poll({
        half, state: () => w.state, shown: () => w.shown,
        hidden: () => w.hidden, q: () => '', clock: () => w.now,
        dispatch: (event) => { w.state = next(w.state, event); },
        timer: (f, seconds) => { w.timers.push({ f, at: w.now + seconds });
                                 return w.timers.at(-1); },
        cancel: (timer) => { w.timers = w.timers.filter((t) => t !== timer); },
        client: {
            get: ask,
            list: async (path, onPage) => onPage(await ask(path), true, false),
        },
    });

    w.settle = async () => {
        while (w.poll.running) {
            await new Promise((r) => setImmediate(r));
        }
    };

    // the clock goes on to the next timer

    w.turn = async () => {
        const timer = w.timers.shift();
        w.now = timer.at;
        w.asked = [];
        timer.f();
        await w.settle();
    };

    return w;
}

const fine = (path) => path === 'counters' ? { a: 1 } : [];


test('what is due', () => {
    const all = due('ntrip', {}, () => false, 'rovers', 100);
    assert.deepEqual(all, ['counters', 'rovers', 'streams', 'accounts',
                           'workers', 'stations']);
    assert.ok(due('ntrip', {}, () => false, 'users', 100).includes('users'));
    assert.deepEqual(due('ntrip', { counters: 99, rovers: 98, streams: 99,
                                    accounts: 90, workers: 99, stations: 99 },
                         () => false, 'rovers', 100), ['rovers', 'accounts']);
    assert.deepEqual(due('cwmp', { counters: 100, devices: 50, sessions: 30 },
                         () => true, '', 100), ['sessions']);
});


test('pauses', () => {
    assert.equal(pause(0.1, false), 2);
    assert.equal(pause(3, false), 9, 'nginx has time for others');
    assert.equal(pause(100, false), 60);
    assert.equal(pause(0.1, true), 30);
});


test('a round reads all, the next one what is due', async () => {
    const w = world('ntrip', fine);
    w.poll.now();
    await w.settle();
    assert.equal(w.asked.length, 6);
    assert.equal(w.state.halves.ntrip.link, 'there');

    await w.turn();
    assert.deepEqual(w.asked, ['counters', 'rovers', 'streams']);
    assert.equal(w.timers.length, 1, 'one timer at a time');
});


test('while nginx is away, pauses grow; it comes back', async () => {
    let away = true;
    const w = world('ntrip', (path) => away ? new Trouble('away', 0, 'gone')
                                            : fine(path));
    const pauses = [];
    w.poll.now();
    await w.settle();

    for (let i = 0; i < 7; i++) {
        assert.deepEqual(w.asked, ['counters'], 'one question each time');
        pauses.push(w.timers[0].at - w.now);
        await w.turn();
    }

    assert.ok(pauses[0] <= 2.5 && pauses[6] >= 45, String(pauses));
    assert.equal(w.state.halves.ntrip.link, 'away');

    w.poll.now(false);
    assert.equal(w.poll.running, false, 'a click does not break the pause');

    away = false;
    w.poll.now();
    await w.settle();
    assert.equal(w.state.halves.ntrip.link, 'there');
    assert.equal(w.timers.length, 1);
    assert.ok(w.timers[0].at - w.now <= 2);
});


test('a login that has expired is asked for again soon', async () => {
    let out = true;
    const w = world('ntrip', (path) => out ? new Trouble('login', 401, 'x')
                                           : fine(path));
    w.poll.now();
    await w.settle();
    assert.equal(w.state.halves.ntrip.link, 'login');

    for (let i = 0; i < 9; i++) {
        await w.turn();
        assert.equal(w.timers[0].at - w.now, 5);
    }

    out = false;
    await w.turn();
    assert.equal(w.state.halves.ntrip.link, 'there');
});


test('who has closed the browser\'s question is not asked all the time',
     async () => {
    const w = world('ntrip', () => new Trouble('login', 401, 'x', true));
    w.poll.now();
    await w.settle();
    assert.equal(w.timers[0].at - w.now, 60);
});


test('a list that is absent leaves the others alone', async () => {
    const w = world('cwmp', (path) => path === 'devices'
                    ? new Trouble('absent', 404, 'x') : fine(path));
    w.poll.now();
    await w.settle();
    assert.equal(w.state.lists.devices.absent, true);
    assert.equal(w.state.lists.sessions.read, true);

    for (let i = 0; i < 5; i++) {
        await w.turn();
        assert.ok(!w.asked.includes('devices'), 'not asked all the time');
    }
});


test('a half that there is not is asked for rarely', async () => {
    const w = world('cwmp', () => new Trouble('absent', 404, 'x'));
    w.poll.now();
    await w.settle();
    assert.equal(w.timers[0].at - w.now, 60);
    assert.equal(w.state.halves.cwmp.link, 'absent');
});


test('after a change its list is read at once', async () => {
    const w = world('ntrip', fine);
    w.poll.now();
    await w.settle();
    w.asked = [];
    w.poll.stale('accounts');
    await w.settle();
    assert.deepEqual(w.asked, ['accounts']);
    assert.equal(w.timers.length, 1);
});


test('a fault of the page itself does not stop it', async (t) => {
    t.mock.method(console, 'error', () => {});
    let broken = true;
    const w = world('ntrip', (path) => broken ? new TypeError('oops')
                                              : fine(path));
    w.poll.now();
    await w.settle();
    assert.equal(w.state.halves.ntrip.link, 'bad');
    broken = false;
    await w.turn();
    assert.equal(w.state.halves.ntrip.link, 'there');
});
