"""Plan packs to start from, and later what-if scenarios, sweeps and risk: changes plans and runs many."""
