// The review queue: rounds are ticked as runs are in their table; what is done with them stands in the bar below.
import { listenForSelection } from "./page/selection";

listenForSelection();
