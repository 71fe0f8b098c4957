"""Money: what tokens cost, the most that a request may cost, and a cap that is not overshot. Arithmetic only."""
