%% The peer "Erlang/OTP": erl +S 2:2 -noshell -run bench main <case> <n> does a case's work of size n on two schedulers
%% and prints its figure as a line of JSON; it checks its own work and ends with 1 if that was not done.
%%
%% fan_out: linked processes whose exit reasons carry their values. failure: a real supervisor, one_for_all, with a
%% thousand children that wait and one that fails. restart: a real supervisor whose one child crashes again and again.
%% The children are plain processes rather than gen_servers, and the logger is off: as cheap as OTP allows.
-module(bench).
-behaviour(supervisor).
-export([main/1, init/1, start_waiting/1, start_bad/1, start_fragile/1]).

main([Case, Number]) ->
    logger:set_primary_config(level, none),
    N = list_to_integer(Number),
    Me = self(),
    %% In a process of its own, so that the garbage of the start does not count. Its messages stay off its heap: else the
    %% collector copies those of a crowd again and again (a hundred times as long, for the first 200,000).
    {Pid, Ref} = spawn_opt(fun() -> process_flag(trap_exit, true), run(Case, N), Me ! done end, [monitor, {message_queue_data, off_heap}]),
    receive
        done -> erlang:halt(0);
        {'DOWN', Ref, process, Pid, Why} -> io:format(standard_error, "~p~n", [Why]), erlang:halt(1)
    end.

run("fan_out", N) ->
    First = erlang:monotonic_time(nanosecond),
    fan_out(N),
    report("fan_out.first", (erlang:monotonic_time(nanosecond) - First) / N, "ns/task"),
    Start = erlang:monotonic_time(nanosecond),
    fan_out(N),
    report("fan_out", (erlang:monotonic_time(nanosecond) - Start) / N, "ns/task");
run("failure", N) ->
    _ = failure(),
    Took = lists:sort([failure() || _ <- lists:seq(1, N)]),
    report("failure", lists:nth((N + 1) div 2, Took) / 1000, "us");
run("restart", N) ->
    {ok, Supervisor} = supervisor:start_link(?MODULE, {fragile, self()}),
    Start = erlang:monotonic_time(nanosecond),
    Last = cycles(N, none),
    report("restart", (erlang:monotonic_time(nanosecond) - Start) / N, "ns/cycle"),
    [{child, Last, worker, _}] = supervisor:which_children(Supervisor).

report(Case, Value, Unit) ->
    io:format("{\"case\": \"~s\", \"value\": ~.6f, \"unit\": \"~s\"}~n", [Case, float(Value), Unit]).

%% -- fan_out

fan_out(N) ->
    spawn_all(N),
    Outcomes = gather(N, []),
    N = length(Outcomes),
    Sum = lists:sum(Outcomes),
    Sum = N * (N + 1) div 2.

spawn_all(0) -> ok;
spawn_all(I) ->
    spawn_link(fun() -> exit({ok, I}) end),
    spawn_all(I - 1).

gather(0, Outcomes) -> Outcomes;
gather(N, Outcomes) ->
    receive {'EXIT', _, {ok, Value}} -> gather(N - 1, [Value | Outcomes]) end.

%% -- failure

-define(SIBLINGS, 1000).

failure() ->
    {ok, Supervisor} = supervisor:start_link(?MODULE, {crew, self()}),
    Bad = receive {bad, Pid} -> Pid end,
    Bad ! fail,
    At = receive {failed_at, T} -> T end,
    receive {'EXIT', Supervisor, shutdown} -> ok end,
    Took = erlang:monotonic_time(nanosecond) - At,
    false = is_process_alive(Bad),
    ok = count_ends(?SIBLINGS),
    Took.

%% Each sibling says that it is there, and how it ended: by a monitor that was set before.
count_ends(0) -> ok;
count_ends(N) ->
    receive {waiting, Pid} ->
        Ref = erlang:monitor(process, Pid),
        receive {'DOWN', Ref, process, Pid, noproc} -> count_ends(N - 1) end
    end.

start_waiting(Driver) ->
    {ok, spawn_link(fun() -> Driver ! {waiting, self()}, receive never -> ok end end)}.

start_bad(Driver) ->
    {ok, spawn_link(fun() ->
        Driver ! {bad, self()},
        receive fail -> Driver ! {failed_at, erlang:monotonic_time(nanosecond)}, exit(on_purpose) end
    end)}.

%% -- restart

cycles(N, Before) ->
    receive {up, Pid} when Pid =/= Before ->
        case N of
            0 -> Pid;
            _ -> Pid ! crash, cycles(N - 1, Pid)
        end
    end.

start_fragile(Driver) ->
    {ok, spawn_link(fun() -> Driver ! {up, self()}, receive crash -> exit(crash) end end)}.

%% -- the supervisors

init({crew, Driver}) ->
    Waiting = [#{id => I, start => {?MODULE, start_waiting, [Driver]}} || I <- lists:seq(1, ?SIBLINGS)],
    Bad = #{id => bad, start => {?MODULE, start_bad, [Driver]}},
    {ok, {#{strategy => one_for_all, intensity => 0, period => 1}, Waiting ++ [Bad]}};
init({fragile, Driver}) ->
    Child = #{id => child, start => {?MODULE, start_fragile, [Driver]}},
    {ok, {#{strategy => one_for_one, intensity => 1000000, period => 1}, [Child]}}.
