"""Several trackers, one per pair of cameras: ros2 launch ainet_ros trackers.launch.py

With the default namespaces the boxes come on /left/ainet/bbox and /right/ainet/bbox; each tracker
listens to rgb_topic and thermal_topic inside its own namespace.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare("ainet_ros")
HANDED_ON = ("rgb_topic", "thermal_topic", "params_file", "dds_profile")


def generate_launch_description():
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "namespaces",
                default_value="left,right",
                description="one namespace per pair of cameras, separated by commas",
            ),
            DeclareLaunchArgument(
                "rgb_topic",
                default_value="rgb/image_raw",
                description="the colour camera's topic inside each namespace: no leading slash",
            ),
            DeclareLaunchArgument(
                "thermal_topic",
                default_value="thermal/image_raw",
                description="the thermal camera's topic, relative in the same way",
            ),
            DeclareLaunchArgument(
                "params_file",
                default_value=PathJoinSubstitution([SHARE, "config", "tracker.yaml"]),
                description="parameters of all trackers; /left/ainet: in it is for one alone",
            ),
            DeclareLaunchArgument(
                "dds_profile",
                default_value="",
                description="Fast DDS profile file; empty: as the environment has it",
            ),
            OpaqueFunction(function=start_trackers),
        ]
    )


def start_trackers(context):
    """tracker.launch.py once for every namespace."""
    tracker = PathJoinSubstitution([SHARE, "launch", "tracker.launch.py"])
    names = LaunchConfiguration("namespaces").perform(context).split(",")
    handed_on = [(name, LaunchConfiguration(name)) for name in HANDED_ON]
    return [
        IncludeLaunchDescription(
            tracker, launch_arguments=[("namespace", name.strip()), *handed_on]
        )
        for name in names
        if name.strip()
    ]
