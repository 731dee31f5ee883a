"""What came from what, as a graph: kinds of nodes, links between them, the walk along the links, and its drawing."""
