"""What goes wrong on purpose: which faults there are, how each is made, and how everybody hears that one is on."""
