/** The mesh as this router's page shows it. */
export { type PageOptions, pageRoutes } from './page-routes.js';
