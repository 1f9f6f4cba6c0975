// Trains on 100,000 ratings beside a timer, and prints the longest time in milliseconds that the timer had to wait.

import { OverparamMF, syntheticInteractions } from 'opmf';

const data = syntheticInteractions();
let last = performance.now();
let processor = process.cpuUsage();
let longest = 0;
let ticks = 0;
const timer = setInterval(() => {
  const { user, system } = process.cpuUsage(processor);
  // Time in which this process did not run, because the machine was busy with others, is no fault of the fit.
  longest = Math.max(longest, Math.min(performance.now() - last, (user + system) / 1000));
  last = performance.now();
  processor = process.cpuUsage();
  ticks++;
}, 1);
const { seconds } = await new OverparamMF({ epochs: 3 }).fit(data);
clearInterval(timer);
console.log(JSON.stringify({ longest, ticks, seconds }));
