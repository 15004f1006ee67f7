/** Shows the page with a mesh that nobody has: `npx tsx test/ui/serve.ts 30`. Ends by ^C. */
import { SyntheticMesh, servePage } from './synthetic.js';

const { url } = await servePage(new SyntheticMesh(Number(process.argv[2] ?? 30)));
console.log(url);
