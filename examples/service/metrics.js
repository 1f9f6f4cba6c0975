// What Prometheus scrapes.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    requests: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Seconds of a request, by route and status',
      labelNames: ['route', 'status'],
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
      registers,
    }),
    events: new Counter({ name: 'events_total', help: 'Events committed', labelNames: ['result'], registers }),
    pendingEvents: new Gauge({ name: 'events_pending', help: 'Events after the last training', registers }),
    trainings: new Counter({ name: 'trainings_total', help: 'Trainings whose model answers', registers }),
    trainingSeconds: new Gauge({ name: 'training_seconds', help: 'Seconds of the last training', registers }),
    modelEvents: new Gauge({ name: 'model_events', help: 'Events that the model was trained on', registers }),
  };
}
