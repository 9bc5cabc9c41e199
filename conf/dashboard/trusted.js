// No text becomes markup here: where the Content-Security-Policy has
// "require-trusted-types-for 'script'", the browser refuses innerHTML and the
// like, but for the few constants that Leaflet itself sets.  Imported before
// everything else.

const constants = new Set([
    '',
    '<svg/>',
    '<span aria-hidden="true">+</span>',
    '<span aria-hidden="true">&#x2212;</span>',
]);

globalThis.trustedTypes?.createPolicy('default', {
    createHTML: (text) => constants.has(text) ? text : null,
});
