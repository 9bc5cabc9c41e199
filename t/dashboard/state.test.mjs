import test from 'node:test';
import assert from 'node:assert/strict';
import { begin, fixes, next, pools, stationPosition }
    from '../../conf/dashboard/state.js';

const page = (list, items, more = {}) =>
    ({ type: 'page', list, items, last: true, more: false, at: 1, ...more });

const after = (...events) => events.reduce(next, begin());

const ids = (state) => state.lists.rovers.items.map((r) => r.id);


test('the first reading is shown as it comes, later ones as a whole', () => {
    let s = after(page('rovers', [{ id: 1 }], { last: false }));
    assert.deepEqual(ids(s), [1]);
    assert.equal(s.lists.rovers.read, false);

    s = next(s, page('rovers', [{ id: 2 }]));
    assert.deepEqual(ids(s), [1, 2]);
    assert.equal(s.lists.rovers.read, true);

    s = next(s, page('rovers', [{ id: 2 }], { last: false }));
    assert.deepEqual(ids(s), [1, 2], 'nothing vanishes in between');

    s = next(s, page('rovers', [{ id: 3 }]));
    assert.deepEqual(ids(s), [2, 3]);
});


test('an item on two pages is there once, as it was last', () => {
    const s = after(page('rovers', [{ id: 1, n: 1 }, { id: 2 }],
                         { last: false }),
                    page('rovers', [{ id: 1, n: 2 }]));
    assert.deepEqual(s.lists.rovers.items, [{ id: 1, n: 2 }, { id: 2 }]);
});


test('an empty page before the last one is no end', () => {
    const s = after(page('rovers', [], { last: false }),
                    page('rovers', [{ id: 1 }]));
    assert.deepEqual(ids(s), [1]);
});


test('what has not changed is the same object', () => {
    const one = after(page('rovers', [{ id: 1, p: { x: 1 } },
                                      { id: 2, n: 1 }]));
    const two = next(one, page('rovers', [{ id: 1, p: { x: 1 } },
                                          { id: 2, n: 2 }]));
    assert.equal(two.lists.rovers.items[0], one.lists.rovers.items[0]);
    assert.notEqual(two.lists.rovers.items[1], one.lists.rovers.items[1]);

    for (const other of [{ id: 1 }, { id: 1, p: null }, { id: 1, p: { x: 2 } },
                         { id: 1, p: { x: 1 }, more: 1 }])
    {
        const three = next(two, page('rovers', [other]));
        assert.equal(three.lists.rovers.items[0], other);
    }
    assert.notEqual(two.lists.rovers.version, one.lists.rovers.version);
});


test('a reading that breaks off leaves what there was', () => {
    const s = after(page('rovers', [{ id: 1 }]),
                    page('rovers', [{ id: 2 }], { last: false }),
                    { type: 'trouble', half: 'ntrip', list: 'rovers',
                      kind: 'failing', detail: 'no database', at: 2 },
                    page('rovers', [{ id: 3 }], { last: false }));
    assert.deepEqual(ids(s), [1]);
    assert.deepEqual(ids(next(s, page('rovers', []))), [3]);
});


test('a half that is away, and back', () => {
    let s = after(page('rovers', [{ id: 1 }]));

    for (let n = 1; n <= 3; n++) {
        s = next(s, { type: 'trouble', half: 'ntrip', kind: 'away',
                      detail: 'gone', again: 50, at: 10 });
        assert.equal(s.halves.ntrip.failures, n);
    }

    assert.equal(s.halves.ntrip.link, 'away');
    assert.equal(s.halves.cwmp.link, 'asking');
    assert.deepEqual(ids(s), [1], 'what was known stays');

    s = next(s, { type: 'counters', half: 'ntrip', values: { a: 1 }, at: 60 });
    assert.equal(s.halves.ntrip.link, 'there');
    assert.equal(s.halves.ntrip.failures, 0);
});


test('a list that there is not is not the half\'s trouble', () => {
    let s = after({ type: 'trouble', half: 'cwmp', list: 'devices',
                    kind: 'absent', detail: '404', at: 1 });
    assert.equal(s.lists.devices.absent, true);
    assert.equal(s.halves.cwmp.link, 'there');

    s = next(s, page('devices', [{ id: 'a' }]));
    assert.equal(s.lists.devices.absent, false, 'after an upgrade it is');
});


test('counters make samples, rovers make those of their fixes', () => {
    const s = after({ type: 'counters', half: 'cwmp', at: 5,
                      values: { wakeups: { ok: 3 }, n: 1 } },
                    page('rovers', [{ id: 1, fix: 'fixed' },
                                    { id: 2, fix: 'dgps' }], { at: 6 }));
    assert.deepEqual(s.halves.cwmp.samples,
                     [{ t: 5, values: { 'wakeups.ok': 3, n: 1 } }]);
    assert.deepEqual(s.fixes, [{ t: 6, values: { fixed: 1, float: 0,
                                                 single: 0, other: 1 } }]);
});


test('fixes, whatever they are called', () => {
    assert.deepEqual(fixes([{ fix: 'float' }, { fix: 'other' }, { fix: 'x' },
                            { fix: 'constructor' }]),
                     { fixed: 0, float: 1, single: 0, other: 3 });
});


test('an account counts in each of its pools', () => {
    assert.deepEqual(pools([{ pools: ['b', 'a'], state: 'free' },
                            { pools: ['a'], state: 'used' }]), [
        { name: 'a', total: 2, free: 1, used: 1, resting: 0, refused: 0,
          expired: 0 },
        { name: 'b', total: 1, free: 1, used: 0, resting: 0, refused: 0,
          expired: 0 },
    ]);
});


test('where a station is', () => {
    const at = (str, streams = []) =>
        stationPosition({ mount: 'B', str }, streams);
    const rest = 'Town;RTCM 3.2;1005(1);2;GPS;Net;DEU;48.50;11.25;0;0';

    assert.deepEqual(at('STR;B;' + rest), { latitude: 48.5, longitude: 11.25 });
    assert.deepEqual(at(rest), { latitude: 48.5, longitude: 11.25 });
    assert.equal(at(''), null);
    assert.equal(at(undefined), null);
    assert.equal(at('Town;RTCM 3.2;;;;;;;'), null);
    assert.equal(at('STR;B;Town;R;;2;G;N;D;0.00;0.00'), null, 'nowhere');
    assert.deepEqual(at('', [{ mount: 'B', provider: null,
                               reference: { latitude: 1, longitude: 2 } }]),
                     { latitude: 1, longitude: 2 });
    assert.equal(at('', [{ mount: 'B', provider: 'p:1',
                           reference: { latitude: 1, longitude: 2 } }]), null,
                 'a provider\'s stream of the same name is no station');
});
