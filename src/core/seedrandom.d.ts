// Types for a file of seedrandom that has none.

declare module 'seedrandom/seedrandom.js' {
  export { default } from 'seedrandom';
}
