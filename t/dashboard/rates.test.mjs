import test from 'node:test';
import assert from 'node:assert/strict';
import * as rates from '../../conf/dashboard/rates.js';

const samples = (...list) => list.map(([t, a, b]) => ({ t, values: { a, b } }));


test('rates are what was gained a second', () => {
    assert.deepEqual(rates.rates(samples([0, 10, 0], [2, 30, 1], [4, 30, 7]),
                                 ['a', 'b']),
                     [[2, 4], [10, 0], [0.5, 3]]);
    assert.deepEqual(rates.rates([], ['a']), [[], []]);
});


test('a restart, a hole and a counter that is new have no rate', () => {
    assert.deepEqual(rates.rates(samples([0, 100], [2, 4], [4, 6]), ['a'])[1],
                     [null, 1]);
    assert.deepEqual(rates.rates(samples([0, 1], [500, 2]), ['a'])[1], [null]);
    assert.deepEqual(rates.rates([{ t: 0, values: {} },
                                  { t: 1, values: { a: 5 } }], ['a'])[1],
                     [null]);
});


test('levels are shown as they are', () => {
    assert.deepEqual(rates.levels(samples([1, 5], [2, 6]), ['a', 'c']),
                     [[1, 2], [5, 6], [null, null]]);
});


test('samples are kept for their time, and in order', () => {
    let list = [];

    for (let t = 1; t <= rates.keep + 10; t++) {
        list = rates.add(list, t, { a: t });
    }

    assert.equal(list.length, rates.keep);
    assert.equal(list[0].t, 11);
    assert.equal(rates.add(list, list.at(-1).t, { a: 0 }), list);
    assert.deepEqual(rates.add(list, 5, { a: 1 }), [{ t: 5, values: { a: 1 } }],
                     'a clock that went back');
});


test('what was gained within a time', () => {
    const list = samples([0, 0], [100, 50], [200, 60], [250, 3], [300, 8]);

    assert.equal(rates.gained(list, 'a', 100), 5);
    assert.equal(rates.gained(list, 'a', 200), 15, 'the restart is no loss');
    assert.equal(rates.gained(list, 'a', 1000), 65);
    assert.equal(rates.gained([], 'a', 100), 0);
    assert.equal(rates.gained(list, 'none', 100), 0);
});


test('nested numbers are flat', () => {
    assert.deepEqual(rates.flat({ a: 1, b: { c: 2, d: { e: 3 } }, f: 'x',
                                  g: [1], h: null }),
                     { a: 1, 'b.c': 2, 'b.d.e': 3 });
    assert.deepEqual(rates.flat(null), {});
});
