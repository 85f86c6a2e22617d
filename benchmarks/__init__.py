"""What is fast, and how we know: `python -m benchmarks` measures the real server beside a bare page (floor.py)."""
