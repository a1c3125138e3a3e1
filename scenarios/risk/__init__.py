"""Risk: one plan in many futures. How likely targets are, what drives them, what to choose and prepare."""
