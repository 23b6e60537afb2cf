"""Start the tracker: ros2 launch ainet_ros tracker.launch.py rgb_topic:=/camera/image_raw ...

The parameters come from config/tracker.yaml (or `params_file`); an argument that is given replaces
the file's value. Nothing is installed and nothing is downloaded.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare("ainet_ros")
# Arguments that stand for a parameter of the node, and its type.
OVERRIDES = {
    "preset": str,
    "checkpoint": str,
    "device": str,
    "initial_box": str,
    "pairing": str,
    "autostart": bool,
}


def generate_launch_description():
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "namespace",
                default_value="",
                description="namespace of the node; one for each pair of cameras",
            ),
            DeclareLaunchArgument(
                "rgb_topic",
                default_value="rgb/image_raw",
                description="sensor_msgs/Image of the colour camera",
            ),
            DeclareLaunchArgument(
                "thermal_topic",
                default_value="thermal/image_raw",
                description="sensor_msgs/Image of the thermal camera, registered to the other",
            ),
            DeclareLaunchArgument(
                "params_file",
                default_value=PathJoinSubstitution([SHARE, "config", "tracker.yaml"]),
                description="all parameters of the node, see docs/ros.md",
            ),
            DeclareLaunchArgument(
                "preset",
                default_value="",
                choices=["", "nano", "tiny", "small", "base"],
                description="size of the network; empty: as in params_file",
            ),
            DeclareLaunchArgument(
                "checkpoint",
                default_value="",
                description="your own weights (.safetensors); empty: as in params_file",
            ),
            DeclareLaunchArgument(
                "device",
                default_value="",
                description="auto, cpu, cuda or cuda:N; empty: as in params_file",
            ),
            DeclareLaunchArgument(
                "initial_box",
                default_value="",
                description="target on the first pair: x,y,w,h in pixels of the RGB image",
            ),
            DeclareLaunchArgument(
                "pairing",
                default_value="",
                choices=["", "approximate", "exact", "rgb_leads"],
                description="which images belong together; rgb_leads for a slow thermal camera; "
                "empty: as in params_file",
            ),
            DeclareLaunchArgument(
                "autostart",
                default_value="",
                choices=["", "true", "false"],
                description="true: the node configures and activates itself and exits with 1 when "
                "that fails; false: a lifecycle manager does it; empty: as in params_file",
            ),
            DeclareLaunchArgument(
                "log_level",
                default_value="info",
                choices=["debug", "info", "warn", "error"],
                description="how much the node logs",
            ),
            DeclareLaunchArgument(
                "dds_profile",
                default_value="",
                description="Fast DDS profile file for this node, such as the package's "
                "config/fastdds_large_images.xml; empty: as the environment has it",
            ),
            OpaqueFunction(function=start_tracker),
        ]
    )


def start_tracker(context):
    """The node, once it is known which arguments were given."""
    given = {
        name: ParameterValue(LaunchConfiguration(name), value_type=kind)
        for name, kind in OVERRIDES.items()
        if LaunchConfiguration(name).perform(context)
    }
    node = LifecycleNode(
        package="ainet_ros",
        executable="tracker_node",
        name="ainet",
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("params_file"), given],
        remappings=[
            ("rgb/image_raw", LaunchConfiguration("rgb_topic")),
            ("thermal/image_raw", LaunchConfiguration("thermal_topic")),
        ],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        output="screen",
    )
    profile = LaunchConfiguration("dds_profile")
    if profile.perform(context):
        return [SetEnvironmentVariable("FASTRTPS_DEFAULT_PROFILES_FILE", profile), node]
    return [node]
