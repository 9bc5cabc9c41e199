// preact and htm as everything here uses them.  Values in html`` are text or
// attributes, never markup.

import { h, render, Component } from './lib/preact.js';
import htm from './lib/htm.js';

export const html = htm.bind(h);
export { render, Component };
