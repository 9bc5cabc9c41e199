// Values as an operator reads them: each function takes a value of the status
// and gives text.  What there is not (null, undefined) is a dash.  Pure; tested
// by t/dashboard/format.test.mjs.

export const none = '\u2013';

const lacking = (value) => value === null || value === undefined
                           || Number.isNaN(value);


// 1234567 -> "1 234 567", with narrow blanks; so many digits behind the point

export function number(value, digits = 0) {
    if (lacking(value)) {
        return none;
    }

    const [whole, part] = Math.abs(value).toFixed(digits).split('.');
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, '\u202f');
    const text = part ? grouped + '.' + part : grouped;

    return value < 0 && /[1-9]/.test(text) ? '\u2212' + text : text;
}


// the same, as few digits as tell it apart: 0.25, 3.4, 120, 45 k, 1.2 M

export function short(value) {
    if (lacking(value)) {
        return none;
    }

    const size = Math.abs(value);

    if (size >= 999.5e6) {
        return digits(value / 1e9) + '\u202fG';
    }

    if (size >= 999.5e3) {
        return digits(value / 1e6) + '\u202fM';
    }

    if (size >= 9999.5) {
        return digits(value / 1e3) + '\u202fk';
    }

    return digits(value);
}


function digits(value) {
    const size = Math.abs(value);

    if (Number.isInteger(value) || size >= 99.5) {
        return String(Math.round(value));
    }

    return size >= 9.95 ? value.toFixed(1).replace(/\.0$/, '')
                        : String(Number(value.toFixed(2)));
}


export function bytes(value) {
    if (lacking(value)) {
        return none;
    }

    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    let unit = 0;

    while (value >= 999.5 && unit < units.length - 1) {
        value /= 1000;
        unit++;
    }

    return digits(unit ? value : Math.round(value)) + '\u202f' + units[unit];
}


export const rate = (value) => lacking(value) ? none : short(value) + '/s';


// of seconds: "0.4 s", "12 s", "3 min", "5 h 20 min", "3 d 4 h"

export function duration(seconds) {
    if (lacking(seconds)) {
        return none;
    }

    if (seconds < 0) {
        return '\u2212' + duration(-seconds);
    }

    if (seconds < 9.95) {
        return digits(Number(seconds.toFixed(1))) + '\u202fs';
    }

    if (seconds < 119.5) {
        return Math.round(seconds) + '\u202fs';
    }

    const minutes = Math.floor(seconds / 60);

    if (minutes < 120) {
        return minutes + '\u202fmin';
    }

    const hours = Math.floor(minutes / 60);

    if (hours < 48) {
        return two(hours, 'h', minutes % 60, 'min');
    }

    return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}


function two(large, unit, small, smaller) {
    const text = large + '\u202f' + unit;
    return small ? text + ' ' + small + '\u202f' + smaller : text;
}


// of seconds since 1970, 0 being never: in the reader's own time zone

export function time(seconds) {
    if (lacking(seconds) || seconds <= 0) {
        return none;
    }

    const t = new Date(seconds * 1000);

    if (Number.isNaN(t.getTime())) {
        return none;
    }

    const pad = (n) => String(n).padStart(2, '0');

    return t.getFullYear() + '-' + pad(t.getMonth() + 1) + '-'
           + pad(t.getDate()) + ' ' + pad(t.getHours()) + ':'
           + pad(t.getMinutes()) + ':' + pad(t.getSeconds());
}


// how long it has been, as of now

export function since(seconds, now) {
    if (lacking(seconds) || seconds <= 0) {
        return none;
    }

    return duration(Math.max(0, Math.floor(now - seconds)));
}


// when an account or a user ends: 0 is never

export function expiry(seconds, now) {
    if (lacking(seconds)) {
        return none;
    }

    if (seconds === 0) {
        return 'never';
    }

    return seconds <= now ? 'expired' : 'in ' + duration(seconds - now);
}


export function position(p) {
    if (!p || lacking(p.latitude) || lacking(p.longitude)) {
        return none;
    }

    return angle(p.latitude, 'N', 'S') + ' ' + angle(p.longitude, 'E', 'W');
}


function angle(value, plus, minus) {
    return Math.abs(value).toFixed(5) + '\u00b0\u202f'
           + (value < 0 ? minus : plus);
}


export function percent(part, whole) {
    return whole > 0 ? Math.round(part / whole * 100) + '\u202f%' : none;
}


// a value of which nothing is known but that it is there: one line of text

export function plain(value) {
    if (lacking(value) || value === '') {
        return none;
    }

    if (typeof value === 'boolean') {
        return value ? 'yes' : 'no';
    }

    if (Array.isArray(value)) {
        return value.length ? value.map(plain).join(', ') : none;
    }

    if (typeof value === 'object') {
        if ('latitude' in value && 'longitude' in value) {
            return position(value);
        }

        return Object.entries(value).map(([name, v]) => `${name} ${plain(v)}`)
                     .join(', ');
    }

    return String(value);
}


// "1 rover", "2 rovers"

export function count(n, one, many = one + 's') {
    return number(n) + ' ' + (n === 1 ? one : many);
}
