// Counters over time: samples of what only grows, and the rates between them.
// Pure; tested by t/dashboard/rates.test.mjs.

export const keep = 1800;                  // samples; an hour of one in 2 s


// Samples are [{ t, values: { name: number } }], oldest first; the new one is
// behind, and a clock that went back begins anew.

export function add(samples, t, values) {
    const last = samples[samples.length - 1];

    if (last && t <= last.t) {
        return t === last.t ? samples : [{ t, values }];
    }

    const kept = samples.length >= keep ? samples.slice(1 - keep) : samples;
    return [...kept, { t, values }];
}


// What a counter has gained a second from one sample to the next: [t...] and a
// list for each name.  null: there is no telling, since nginx was started
// between them, or too long ago to be one line with the sample before.

export function rates(samples, names, gap = 120) {
    const times = [];
    const lists = names.map(() => []);

    for (let i = 1; i < samples.length; i++) {
        const [from, to] = [samples[i - 1], samples[i]];
        const passed = to.t - from.t;

        times.push(to.t);

        names.forEach((name, n) => {
            const gained = to.values[name] - from.values[name];
            lists[n].push(gained >= 0 && passed <= gap ? gained / passed
                                                       : null);
        });
    }

    return [times, ...lists];
}


// Samples of what goes up and down: the values themselves

export function levels(samples, names) {
    return [samples.map((s) => s.t),
            ...names.map((name) => samples.map((s) => s.values[name] ?? null))];
}


// What a counter has gained within the last "seconds", restarts left out

export function gained(samples, name, seconds) {
    const last = samples[samples.length - 1];
    let sum = 0;

    for (let i = samples.length - 1; i > 0; i--) {
        if (last.t - samples[i - 1].t > seconds) {
            break;
        }

        const more = samples[i].values[name] - samples[i - 1].values[name];
        sum += more > 0 ? more : 0;
    }

    return sum;
}


// A flat object of the numbers of nested ones: { a: { b: 1 } } -> { 'a.b': 1 }

export function flat(values, prefix = '', into = {}) {
    for (const [name, value] of Object.entries(values ?? {})) {
        if (typeof value === 'number') {
            into[prefix + name] = value;

        } else if (value && typeof value === 'object'
                   && !Array.isArray(value))
        {
            flat(value, prefix + name + '.', into);
        }
    }

    return into;
}
