// Rows of a table: searched, sorted, and which of them are in view.  Pure;
// tested by t/dashboard/rows.test.mjs, also with 10,000 rows.
//
// A column is { name, title, value(row), text(value, row, now) }: "value" is
// what it is sorted by, "text" what is shown and searched.

const collator = new Intl.Collator('en', { numeric: true,
                                           sensitivity: 'base' });


// What is shown in a cell

export function cell(column, row, now) {
    const value = column.value(row);
    return column.text ? column.text(value, row, now) : String(value ?? '');
}


// "north fix:float" -> [{ word: 'north' }, { column: 'fix', word: 'float' }];
// what is before a colon is a column only if there is one of this name

export function query(text, columns) {
    const names = new Set(columns.map((c) => c.name));

    return text.toLowerCase().split(/\s+/).filter(Boolean).map((part) => {
        const colon = part.indexOf(':');
        const column = part.slice(0, colon);

        return colon > 0 && names.has(column)
               ? { column, word: part.slice(colon + 1) } : { word: part };
    });
}


// Rows that have each word somewhere, or in its column.  Whatever changes with
// the clock alone ("since") is not searched.

export function search(rows, text, columns) {
    const words = query(text, columns);

    if (words.length === 0) {
        return rows;
    }

    const searched = columns.filter((c) => !c.clock);
    const named = new Map(columns.map((c) => [c.name, c]));

    return rows.filter((row) => {
        let whole = null;

        return words.every(({ column, word }) => {
            if (column) {
                return cell(named.get(column), row, 0).toLowerCase()
                                                      .includes(word);
            }

            whole ??= searched.map((c) => cell(c, row, 0)).join('\n')
                              .toLowerCase();
            return whole.includes(word);
        });
    });
}


// Sorted by the values of a column, upwards or downwards; rows without a value
// come last either way, equal ones stay as they were

export function sort(rows, column, down) {
    const sign = down ? -1 : 1;
    const keyed = rows.map((row) => ({ row, key: column.value(row) }));
    const lacking = (key) => key === null || key === undefined || key === '';

    keyed.sort((a, b) => {
        if (lacking(a.key) || lacking(b.key)) {
            return lacking(a.key) - lacking(b.key);
        }

        return sign * compare(a.key, b.key);
    });

    return keyed.map((k) => k.row);
}


function compare(a, b) {
    if (typeof a === 'string' && typeof b === 'string') {
        return collator.compare(a, b);
    }

    return a < b ? -1 : a > b ? 1 : 0;
}


// Which rows are to be made, of "count" ones of "height" pixels each, when the
// view begins at "top" and is "room" pixels high: { first, last (exclusive),
// before, after (pixels that stand for the others) }

export function visible(count, height, top, room, spare = 8) {
    const most = Math.max(0, count * height - room);
    const at = Math.min(Math.max(0, top), most);
    const first = Math.max(0, Math.floor(at / height) - spare);
    const last = Math.min(count, Math.ceil((at + room) / height) + spare);

    return { first, last, before: first * height,
             after: (count - last) * height };
}


// Where the view has to begin for a row to be in it

export function scrolled(index, height, top, room) {
    if (index * height < top) {
        return index * height;
    }

    if ((index + 1) * height > top + room) {
        return (index + 1) * height - room;
    }

    return top;
}


// A key that moves the selection: the new index, or null for another key

export function moved(key, index, count, page) {
    const to = {
        ArrowDown: index + 1, ArrowUp: index - 1, PageDown: index + page,
        PageUp: index - page, Home: 0, End: count - 1,
    }[key];

    return to === undefined || count === 0
           ? null : Math.min(count - 1, Math.max(0, to));
}
