import uPlot from 'uplot';
import { bitRate, roundTrip } from '../format.js';
import type { Course } from '../model/index.js';

export type Curve = 'rtt' | 'throughput';

const HEIGHT = 96;
const AXIS_WIDTH = 62;

/** A small curve of the last minutes. */
export class CurveView {
  readonly #plot: uPlot;
  readonly #curve: Curve;
  readonly #place: HTMLElement;
  readonly #resized: ResizeObserver;

  constructor(curve: Curve, place: HTMLElement) {
    this.#curve = curve;
    this.#place = place;
    this.#plot = new uPlot(optionsOf(curve, place), [[], []], place);
    this.#resized = new ResizeObserver(() =>
      this.#plot.setSize({ width: place.clientWidth, height: HEIGHT }),
    );
    this.#resized.observe(place);
  }

  show({ times, rtts, sent, received }: Course): void {
    if (this.#place.clientWidth === 0) return;
    this.#plot.setData(this.#curve === 'rtt' ? [times, rtts] : [times, sent, received]);
  }

  /** With the colours of another theme. */
  recolour(): void {
    this.#plot.redraw(false, true);
  }

  end(): void {
    this.#resized.disconnect();
    this.#plot.destroy();
  }
}

function optionsOf(curve: Curve, place: HTMLElement): uPlot.Options {
  const colour = (name: string) => () => resolved(place, name);
  const axis = {
    stroke: colour('--quiet'),
    font: '11px system-ui',
    grid: { stroke: colour('--line'), width: 1 },
  };
  const format = curve === 'rtt' ? roundTrip : (bits: number) => bitRate(bits / 8);
  const values = (_: uPlot, splits: number[]) => splits.map((split) => format(split));
  const line = (name: string, label: string): uPlot.Series => ({
    label,
    stroke: colour(name),
    width: 1.75,
    points: { show: false },
  });
  const lines =
    curve === 'rtt'
      ? [line('--direct', 'RTT')]
      : [line('--direct', 'sent'), { ...line('--tcp', 'received'), dash: [6, 3] }];
  return {
    width: Math.max(place.clientWidth, 100),
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 26, 0, 0],
    scales: { y: { range: (_, _low, high) => [0, Math.max(high ?? 0, curve === 'rtt' ? 100 : 1000) * 1.1] } },
    axes: [
      { ...axis, size: 22, space: 70, ticks: { show: false }, values: (_, splits) => splits.map(clock) },
      { ...axis, size: AXIS_WIDTH, space: 30, ticks: { show: false }, values },
    ],
    series: [{}, ...lines],
  };
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB');
}

function resolved(place: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  place.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
