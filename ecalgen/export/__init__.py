"""Generators for other programs: ONNX, StableHLO and C, each with a card that says what goes in and comes out."""
