"""The demo: drives the shop over real HTTP, and proves that no planted secret reached the receiver."""
