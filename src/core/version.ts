// The version of this library, for files and reports. A test compares it with package.json.

/** As in package.json. */
export const VERSION = '0.1.0';
