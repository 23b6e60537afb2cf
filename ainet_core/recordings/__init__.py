"""Recordings: rosbag2 without ROS, videos and folders of frames, tracked after the event."""
