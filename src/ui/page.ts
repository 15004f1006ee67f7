/** The page: it shows the mesh as the router tells of it, and asks for more about what somebody chose. */
import { part } from './dom.js';
import { Header } from './header.js';
import type { Selection } from './kinds.js';
import { showLegend } from './legend.js';
import { Filter, History, Live, Mesh } from './model/index.js';
import { CurveView, EventList, Panel } from './panel/index.js';
import { Outline, Picture } from './picture/index.js';
import { HostTable } from './table.js';
import { startTheme } from './theme.js';
import { Views } from './views.js';

const mesh = new Mesh();
const history = new History();
let isStale = false;

const filter = new Filter(mesh, () => update());
const views = new Views(() => update());
const header = new Header(mesh);
const table = new HostTable({ mesh, filter, onChoose: choose });
const picture = new Picture({ mesh, filter, onChoose: choose });
const outline = new Outline({ mesh, onChoose: choose, onFocus: (selection) => picture.focus(selection) });
const panel = new Panel({ mesh, history, onChoose: choose });
const events = new EventList();
const total = new CurveView('throughput', part('total-curve', HTMLDivElement));

showLegend();
startTheme(() => {
  picture.recolour();
  panel.recolour();
  total.recolour();
});
addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') choose(undefined);
});
new Live({
  start: (change) => {
    mesh.start(change);
    show();
  },
  change: (change) => {
    mesh.apply(change);
    history.note(mesh, Date.now());
    show();
  },
  happened: (event) => events.add(event),
  lost: () => {
    isStale = true;
    update();
  },
});

function show(): void {
  isStale = false;
  total.show(history.total);
  panel.update();
  update();
}

function update(): void {
  document.body.classList.toggle('stale', isStale);
  views.suit(mesh.hosts.size);
  header.update({ isStale });
  table.update({ isStale });
  picture.update({ isStale });
  outline.update();
}

function choose(selection: Selection | undefined): void {
  panel.show(selection);
  picture.choose(selection);
}
