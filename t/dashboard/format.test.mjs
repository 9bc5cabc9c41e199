import test from 'node:test';
import assert from 'node:assert/strict';
import * as format from '../../conf/dashboard/format.js';

// blanks of any width as one

const plain = (text) => text.replace(/\u202f/g, ' ');

const all = (f, cases) => {
    for (const [value, text] of cases) {
        assert.equal(plain(f(value)), text, `${f.name}(${value})`);
    }
};


test('what there is not is a dash, in every function', () => {
    for (const f of [format.number, format.short, format.bytes, format.rate,
                     format.duration, format.time, format.position,
                     format.plain])
    {
        assert.equal(f(null), format.none, f.name);
        assert.equal(f(undefined), format.none, f.name);
    }

    assert.equal(format.since(null, 10), format.none);
    assert.equal(format.since(0, 10), format.none);
    assert.equal(format.expiry(null, 10), format.none);
});


test('numbers', () => {
    all(format.number, [[0, '0'], [999, '999'], [1000, '1 000'],
                        [1234567, '1 234 567'], [-1234, '\u22121 234']]);
    assert.equal(format.number(-0.001, 2), '0.00');
    assert.equal(plain(format.number(1234.5, 2)), '1 234.50');
    all(format.short, [[0, '0'], [0.254, '0.25'], [3.42, '3.42'],
                       [12.04, '12'], [99.96, '100'], [5000, '5000'],
                       [45000, '45 k'], [1234567, '1.23 M'],
                       [999600, '1 M'], [2e9, '2 G']]);
});


test('bytes change their unit before they have four digits', () => {
    all(format.bytes, [[0, '0 B'], [999, '999 B'], [1000, '1 kB'],
                       [1536, '1.54 kB'], [999600, '1 MB'],
                       [5e9, '5 GB'], [7e15, '7000 TB']]);
});


test('durations', () => {
    all(format.duration, [[0, '0 s'], [0.04, '0 s'], [0.44, '0.4 s'],
                          [9.96, '10 s'], [119, '119 s'], [120, '2 min'],
                          [7199, '119 min'], [7200, '2 h'],
                          [19200, '5 h 20 min'], [172800, '2 d'],
                          [277200, '3 d 5 h'], [-90, '\u221290 s']]);
    assert.equal(plain(format.since(1000, 1090)), '90 s');
    assert.equal(plain(format.since(1000, 990)), '0 s');
});


test('when something ends', () => {
    assert.equal(format.expiry(0, 100), 'never');
    assert.equal(format.expiry(100, 100), 'expired');
    assert.equal(plain(format.expiry(7300, 100)), 'in 2 h');
});


test('times are those of the reader', () => {
    const t = Math.floor(new Date(2026, 1, 3, 4, 5, 6).getTime() / 1000);
    assert.equal(format.time(t), '2026-02-03 04:05:06');
    assert.equal(format.time(0), format.none);
    assert.equal(format.time(1e20), format.none);
});


test('positions', () => {
    all(format.position, [
        [{ latitude: 48.1, longitude: 11.6 }, '48.10000\u00b0 N'
                                              + ' 11.60000\u00b0 E'],
        [{ latitude: -33.9, longitude: -70 }, '33.90000\u00b0 S'
                                              + ' 70.00000\u00b0 W'],
        [{}, format.none],
    ]);
});


test('anything has a line of text', () => {
    all(format.plain, [['', format.none], [true, 'yes'], [false, 'no'],
                       [[], format.none], [['a', 'b'], 'a, b'],
                       [{ a: 1, b: null }, `a 1, b ${format.none}`],
                       ['<b>', '<b>'], [0, '0']]);
});


test('parts and counts', () => {
    assert.equal(plain(format.percent(1, 3)), '33 %');
    assert.equal(format.percent(0, 0), format.none);
    assert.equal(format.count(1, 'rover'), '1 rover');
    assert.equal(format.count(0, 'rover'), '0 rovers');
});
