//! How a figure is drawn: what every chart shares.
