// Lines of latitude and longitude, for a map without tiles.  Pure; tested by
// t/dashboard/grid.test.mjs.

const steps = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05,
               0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 45];


// The smallest step, in degrees, with at most so many lines across a range

export const step = (range, most = 8) =>
    steps.find((s) => range / s <= most) ?? 90;


// [{ at, label }] of the lines within a range, by a step

export function lines(from, to, by, plus, minus) {
    const digits = Math.max(0, Math.ceil(-Math.log10(by) - 1e-9));
    const found = [];

    for (let n = Math.ceil(from / by - 1e-9); n * by <= to + 1e-9; n++) {
        const at = n * by;
        const sign = n === 0 ? '' : ' ' + (at < 0 ? minus : plus);
        found.push({ at, label: Math.abs(at).toFixed(digits) + '\u00b0'
                                + sign });
    }

    return found;
}


// What is to be in view: [[south, west], [north, east]] with all positions,
// but for a few that are far away from where most are (a rover that reports
// 0, 0 would make a map of the world); null without any

export function bounds(positions) {
    const good = positions.filter((p) => p && Number.isFinite(p.latitude)
                                  && Number.isFinite(p.longitude)
                                  && (p.latitude !== 0 || p.longitude !== 0));

    if (good.length === 0) {
        return null;
    }

    const [south, north] = span(good.map((p) => p.latitude));
    const [west, east] = span(good.map((p) => p.longitude));

    return [[south, west], [north, east]];
}


function span(values) {
    const sorted = values.sort((a, b) => a - b);
    const cut = sorted.length >= 20 ? Math.floor(sorted.length * 0.02) : 0;
    const [low, high] = [sorted[cut], sorted[sorted.length - 1 - cut]];
    const least = 0.02;

    return high - low < least
           ? [(low + high - least) / 2, (low + high + least) / 2]
           : [low, high];
}
