import {
  forceCollide,
  forceLink,
  forceManyBody,
  forceSimulation,
  forceX,
  forceY,
  type Simulation,
  type SimulationLinkDatum,
  type SimulationNodeDatum,
} from 'd3-force';
import type { Mesh } from '../model/index.js';

export interface Dot extends SimulationNodeDatum {
  readonly peer: string;
  x: number;
  y: number;
  /** From 0 to 1 while it comes in. */
  presence: number;
}

interface Spring extends SimulationLinkDatum<Dot> {
  readonly length: number;
  readonly strength: number;
}

/** Turns at once, when the page is opened: of a small mesh all, so that nothing moves; of a large one some, so that nobody waits. */
const FIRST_TURNS = (hosts: number) => Math.max(20, Math.min(300, Math.floor(6_000 / hosts)));
const NEWCOMER_WARMTH = 0.25;
const DRAG_WARMTH = 0.15;
const APPEARING = 0.06;

/** Where the hosts are in the picture: near each other if packets between them are quick. Positions stay; it cools down and stops. */
export class Layout {
  readonly dots = new Map<string, Dot>();
  readonly #simulation: Simulation<Dot, Spring>;
  readonly #springs = forceLink<Dot, Spring>()
    .distance(({ length }) => length)
    .strength(({ strength }) => strength);
  #others = 0;

  constructor() {
    this.#simulation = forceSimulation<Dot, Spring>()
      .force('springs', this.#springs)
      .force('apart', forceManyBody<Dot>().strength(-240).distanceMax(500).theta(1.1))
      .force('room', forceCollide<Dot>(27))
      .force('x', forceX<Dot>(0).strength(0.02))
      .force('y', forceY<Dot>(0).strength(0.035))
      .stop();
  }

  /** Whether anything still moves. */
  get moves(): boolean {
    return this.#simulation.alpha() > this.#simulation.alphaMin() || this.#isAppearing();
  }

  step(): void {
    if (this.#simulation.alpha() > this.#simulation.alphaMin()) this.#simulation.tick();
    for (const dot of this.dots.values()) dot.presence = Math.min(1, dot.presence + APPEARING);
  }

  /** Takes in who came and who went. */
  follow(mesh: Mesh): void {
    const isFirst = this.dots.size === 0;
    const before = this.dots.size;
    const newcomers = [...mesh.hosts.keys()].filter((peer) => !this.dots.has(peer));
    const leavers = [...this.dots.keys()].filter((peer) => !mesh.hosts.has(peer));
    for (const peer of leavers) this.dots.delete(peer);
    for (const peer of newcomers) this.dots.set(peer, newDot(peer, mesh, isFirst, before));
    const others = mesh.others.size;
    const isSame = newcomers.length + leavers.length === 0;
    if (isSame && Math.abs(others - this.#others) <= this.#others * 0.2) return;
    this.#others = others;
    this.#simulation.nodes([...this.dots.values()]);
    this.#springs.links(this.#springsOf(mesh));
    this.#simulation.alpha(isFirst ? 1 : Math.max(this.#simulation.alpha(), NEWCOMER_WARMTH));
    if (isFirst) this.#simulation.tick(FIRST_TURNS(this.dots.size));
  }

  hold(dot: Dot, x: number, y: number): void {
    [dot.fx, dot.fy] = [x, y];
    [dot.x, dot.y] = [x, y];
    this.#simulation.alpha(Math.max(this.#simulation.alpha(), DRAG_WARMTH));
  }

  #springsOf(mesh: Mesh): Spring[] {
    const self = this.dots.get(mesh.self);
    const own = [...mesh.links].flatMap(([peer, { rtt }]) =>
      this.#spring(self, this.dots.get(peer), lengthOf(rtt ?? 1000), 0.12),
    );
    const between = [...mesh.others].flatMap(([key, cost]) => {
      const [a = '', b = ''] = key.split(' ');
      return this.#spring(
        this.dots.get(a),
        this.dots.get(b),
        lengthOf(cost),
        0.6 / Math.sqrt(mesh.hosts.size),
      );
    });
    return [...own, ...between];
  }

  #spring(source: Dot | undefined, target: Dot | undefined, length: number, strength: number): Spring[] {
    return source === undefined || target === undefined ? [] : [{ source, target, length, strength }];
  }

  #isAppearing(): boolean {
    for (const { presence } of this.dots.values()) if (presence < 1) return true;
    return false;
  }
}

/** By the logarithm of the round trip in microseconds: a network of one room, of a town, and of a continent all find room. */
function lengthOf(micros: number): number {
  return Math.min(280, 95 + 60 * Math.max(0, Math.log10(micros / 300)));
}

/** The same mesh looks the same whenever the page is opened: a host begins where its id says. This router is in the middle. */
function newDot(peer: string, mesh: Mesh, isFirst: boolean, count: number): Dot {
  const presence = isFirst ? 1 : 0;
  if (peer === mesh.self) return { peer, x: 0, y: 0, fx: 0, fy: 0, presence };
  const angle = (Number.parseInt(peer.slice(0, 8), 16) / 0xffffffff) * 2 * Math.PI;
  const spread = Number.parseInt(peer.slice(8, 16), 16) / 0xffffffff;
  const radius = 60 + 24 * Math.sqrt(Math.max(count, mesh.hosts.size)) * (0.4 + spread);
  return { peer, x: radius * Math.cos(angle), y: radius * Math.sin(angle), presence };
}
