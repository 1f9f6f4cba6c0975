// The type of a file of seedrandom that has none of its own.

declare module 'seedrandom/seedrandom.js' {
  export { default } from 'seedrandom';
}
