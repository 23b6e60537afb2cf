"""The operator's page: live pictures, and a rectangle that becomes the target, in a browser.

Knows neither ROS nor the network: its owner shows frames and is told what the operator wants.
aiohttp is imported when a page is started, not before.
"""
