"""Generators for other programs: ONNX, StableHLO and C, each with a card that describes inputs and output."""
