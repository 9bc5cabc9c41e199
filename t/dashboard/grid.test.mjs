import test from 'node:test';
import assert from 'node:assert/strict';
import { bounds, lines, step } from '../../conf/dashboard/grid.js';

const at = (latitude, longitude) => ({ latitude, longitude });


test('steps are round, and few lines', () => {
    assert.equal(step(360), 45);
    assert.equal(step(8), 1);
    assert.equal(step(0.01), 0.002);
    assert.equal(step(1000), 90);
});


test('lines', () => {
    assert.deepEqual(lines(47.95, 48.21, 0.1, 'N', 'S').map((l) => l.label),
                     ['48.0\u00b0 N', '48.1\u00b0 N', '48.2\u00b0 N']);
    assert.deepEqual(lines(-1, 1, 1, 'E', 'W').map((l) => l.label),
                     ['1\u00b0 W', '0\u00b0', '1\u00b0 E']);
    assert.deepEqual(lines(0.3, 0.4, 1, 'N', 'S'), []);
});


test('what is to be in view', () => {
    assert.equal(bounds([]), null);
    assert.equal(bounds([null, undefined, at(0, 0), at(NaN, 1)]), null);
    assert.deepEqual(bounds([at(48, 11), at(49, 10)]), [[48, 10], [49, 11]]);

    const [[south], [north]] = bounds([at(48, 11)]);
    assert.ok(south < 48 && north > 48 && north - south < 0.1, 'one point');
});


test('a stray one does not make a map of the world', () => {
    const many = Array.from({ length: 100 }, (unused, i) => at(48 + i / 100,
                                                               11));
    const [[south], [north]] = bounds([...many, at(-80, 100)]);
    assert.ok(south > 47 && north < 50);
});
