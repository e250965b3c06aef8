"""How close generated showers are to real ones: metrics, their uncertainties and their ceilings."""
