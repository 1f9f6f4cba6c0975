// The version of this library, for files and reports. A test holds it against package.json.

/** As in package.json. */
export const VERSION = '0.1.0';
