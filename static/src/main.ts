// What every page has: menus that close, copying, keys, the sidebar, and htmx for parts that come again.
import htmx from "htmx.org";
import { followClientLinks } from "./page/client_links";
import { listenForFailures } from "./page/failures";
import { listenForCopying } from "./page/copying";
import { listenForBeside } from "./page/beside";
import { listenForFilters } from "./page/filters";
import { listenForBoardNews } from "./page/board_news";
import { listenForFiles } from "./page/files";
import { listenForEndedSessions } from "./page/still_here";
import { listenForDialogs } from "./page/dialogs";
import { listenForJump } from "./page/jump";
import { listenForKeys } from "./page/keys";
import { listenForLooking } from "./page/looking";
import { listenForMenus } from "./page/menus";
import { listenForSidebar } from "./page/sidebar";
import { catchUpWithAddress } from "./page/traversal";
import { tellOwnZone } from "./page/own_zone";
import { listenForRows } from "./page/rows";
import { showOpenTab } from "./page/tabs";

htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.attributesToSettle = []; // settling copies style attributes, which the policy forbids

catchUpWithAddress();
listenForEndedSessions(); // before all that listens for what is sent
followClientLinks();
listenForFailures();
listenForMenus();
listenForCopying();
listenForSidebar();
listenForRows();
listenForBeside();
listenForFiles();
listenForBoardNews();
listenForFilters();
listenForDialogs();
listenForJump();
listenForKeys();
listenForLooking();
showOpenTab();
tellOwnZone();
