using System.Globalization;
using System.IO;
using System.Threading;
using FreeFlow.Router.Sessions;

namespace FreeFlow.Router;

/// <summary>
/// The kernel gives a process only so many mappings (vm.max_map_count), and where there are none left a runtime cannot go on. What this router maps for programs is counted: a user has a quarter of
/// them, and a quarter is nobody's but the runtime's.
/// </summary>
internal static class MapReserve
{
    private const int Usual = 65530;

    private static int s_most = Usual - (Usual / 4), s_mostOfUser = Usual / 4, s_taken;

    /// <summary>Asks the kernel how many there are.</summary>
    public static void Establish()
    {
        try
        {
            if (int.TryParse(File.ReadAllText("/proc/sys/vm/max_map_count"), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int all)) (s_most, s_mostOfUser) = (all - (all / 4), all / 4);
        }
        catch (IOException) { } // the usual number, then
    }

    /// <summary>False if this user, or all together, would have too many. Any thread.</summary>
    public static bool TryTake(UserAccount account, int count)
    {
        bool fits = Interlocked.Add(ref account.Mappings, count) <= s_mostOfUser;
        if (Interlocked.Add(ref s_taken, count) <= s_most && fits) return true;
        Return(account, count);
        return false;
    }

    /// <summary>They are no more. Any thread.</summary>
    public static void Return(UserAccount account, int count)
    {
        Interlocked.Add(ref account.Mappings, -count);
        Interlocked.Add(ref s_taken, -count);
    }
}
